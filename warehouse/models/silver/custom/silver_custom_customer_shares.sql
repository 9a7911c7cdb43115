{{ config(alias=var('custom_name', 'custom') ~ '_customer_shares') }}

{{ order_shares(ref('silver_custom_sales'), has_channels=true) }}
