{{ config(
    materialized=weekly('ephemeral'),
    meta={
        'replaced': '(store_id, product_id) in'
            ' (select (store_id, product_id) from loads.grocery_changed_lines where is_kept)',
    }
) }}

{{ products_bought('store') }}
