{{ config(
    materialized=weekly('ephemeral'),
    meta={
        'replaced': '(customer_id, product_id) in'
            ' (select (customer_id, product_id) from loads.grocery_changed_lines where is_kept)',
    }
) }}

{% if loading('silver.grocery_int_customer_products') == 'changes' -%}
    {{ products_bought_since('customer') }}
{%- else -%}
    {{ products_bought('customer') }}
{%- endif %}
