{{ config(
    enabled=arrives_weekly(),
    materialized='incremental',
    meta={
        'replaced': '(store_id, level) in'
            ' (select (store_id, level) from loads.grocery_changed_store_kinds)',
    }
) }}

{{ kind_sums_of_weeks('store') }}
