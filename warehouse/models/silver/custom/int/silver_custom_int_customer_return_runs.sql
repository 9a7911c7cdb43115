{{ order_return_runs(ref('silver_custom_int_orders'), ref('silver_custom_returns')) }}
