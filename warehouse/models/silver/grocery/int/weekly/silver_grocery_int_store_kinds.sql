{{ config(
    enabled=arrives_weekly(),
    materialized='incremental',
    pre_hook="{{ find_changed_kinds('store') }}",
    meta={'replaced': 'rowid in (select row_before from loads.grocery_changed_store_kinds)'}
) }}

{{ kinds_of_weeks('store') }}
