{{ config(alias=var('custom_name', 'custom') ~ '_customers') }}

with
sales as (select * from {{ ref('silver_custom_sales') }}),

returns as (select * from {{ ref('silver_custom_returns') }}),

{{ order_history_ctes() }},

features as (
    select
        habits.customer_id,
        {{ order_history_columns() }}
    from habits
    {{ order_history_joins() }}
)

select * from features
