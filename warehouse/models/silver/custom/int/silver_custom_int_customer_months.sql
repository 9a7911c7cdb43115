{{ order_months(ref('silver_custom_int_orders')) }}
