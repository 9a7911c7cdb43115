{{ order_near_lines(ref('silver_online_retail_sales')) }}
