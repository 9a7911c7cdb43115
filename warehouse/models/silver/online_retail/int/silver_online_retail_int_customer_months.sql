{{ order_months(ref('silver_online_retail_int_orders')) }}
