{{ config(alias=var('custom_name', 'custom') ~ '_lines') }}

{%- set day_order =
    "customer_id || ' ' || coalesce(cast(cast(happened_at as date) as string), '')"
-%}
with
raw_log as (select * from {{ custom_log() }}),

typed as (
    select
        {{ place_in_file() }} as line_id,
        {{ custom_text('customer', 'null') }} as customer_id,
        {{ custom_text('product', "'all'") }} as product_id,
        {{ custom_text('category', "'all'") }} as category_id,
        {{ custom_text('basket', "'day'") }} as basket_id,
        {{ custom_text('channel', "'all'") }} as channel_id,
        {{ custom_units() }} as unit_count,
        {{ safe_money(custom_column('amount')) }} as amount,
        try_cast({{ custom_column('time') }} as timestamp) as happened_at,
        left_out,
        {{ load_time() }} as loaded_at
    from raw_log
),

-- Without baskets, a customer's lines of one day are one order.
numbered as (
    select
        line_id,
        customer_id,
        product_id,
        coalesce(category_id, 'unknown') as category_id,
        {{ 'basket_id' if var('custom_basket', '') else day_order }} as order_id,
        coalesce(channel_id, 'unknown') as channel_id,
        unit_count,
        amount,
        happened_at,
        left_out,
        loaded_at
    from typed
)

select * from numbered
