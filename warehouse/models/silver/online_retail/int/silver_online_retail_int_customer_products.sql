{{ order_products(ref('silver_online_retail_sales')) }}
