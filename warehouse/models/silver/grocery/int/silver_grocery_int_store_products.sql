{{ config(
    materialized=weekly('ephemeral'),
    meta={
        'replaced': '(store_id, product_id) in'
            ' (select (store_id, product_id) from loads.grocery_changed_lines where is_kept)',
    }
) }}

{% if loading('silver.grocery_int_store_products') == 'changes' -%}
    {{ products_bought_since('store') }}
{%- else -%}
    {{ products_bought('store') }}
{%- endif %}
