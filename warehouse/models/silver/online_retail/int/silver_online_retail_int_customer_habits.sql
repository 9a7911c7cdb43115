{{ order_habits(ref('silver_online_retail_int_orders')) }}
