{{ orders_of(ref('silver_online_retail_sales')) }}
