{{ order_habits(ref('silver_custom_int_orders')) }}
