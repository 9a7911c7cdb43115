{{ config(
    enabled=arrives_weekly(),
    materialized='incremental',
    pre_hook="{{ find_changed_kinds('customer') }}",
    meta={'replaced': 'rowid in (select row_before from loads.grocery_changed_customer_kinds)'}
) }}

{{ kinds_of_weeks('customer') }}
