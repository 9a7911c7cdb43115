{{ order_products(ref('silver_custom_sales')) }}
