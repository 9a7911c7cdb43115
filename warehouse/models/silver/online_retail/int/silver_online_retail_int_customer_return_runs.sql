{{ order_return_runs(ref('silver_online_retail_int_orders'), ref('silver_online_retail_returns')) }}
