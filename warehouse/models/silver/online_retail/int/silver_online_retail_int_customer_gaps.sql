{{ order_gaps(ref('silver_online_retail_int_orders')) }}
