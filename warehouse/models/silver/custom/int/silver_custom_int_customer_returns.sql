{{ order_returns(ref('silver_custom_returns')) }}
