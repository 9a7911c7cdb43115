{{ config(alias=var('custom_name', 'custom') ~ '_int_customer_levels') }}

{{ order_levels(ref('silver_custom_sales'), ref('silver_custom_returns')) }}
