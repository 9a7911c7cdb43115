{{ order_near_lines(ref('silver_custom_sales')) }}
