{{ order_returns(ref('silver_online_retail_returns')) }}
