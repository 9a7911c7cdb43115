{{ config(
    materialized=weekly('ephemeral'),
    meta={
        'replaced': '(customer_id, product_id) in'
            ' (select (customer_id, product_id) from loads.grocery_changed_lines where is_kept)',
    }
) }}

{{ products_bought('customer') }}
