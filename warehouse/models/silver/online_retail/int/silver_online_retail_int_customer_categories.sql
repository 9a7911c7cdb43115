{{ order_categories(ref('silver_online_retail_sales')) }}
