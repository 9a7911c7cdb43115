{{ orders_of(ref('silver_custom_sales')) }}
