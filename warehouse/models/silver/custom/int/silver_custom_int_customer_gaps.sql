{{ order_gaps(ref('silver_custom_int_orders')) }}
