{{ config(
    enabled=arrives_weekly(),
    materialized='incremental',
    meta={
        'replaced': '(customer_id, level) in'
            ' (select (customer_id, level) from loads.grocery_changed_customer_kinds)',
    }
) }}

{{ kind_sums_of_weeks('customer') }}
