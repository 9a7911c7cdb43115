{{ order_categories(ref('silver_custom_sales')) }}
