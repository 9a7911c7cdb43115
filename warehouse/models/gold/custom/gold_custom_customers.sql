{{ config(alias=var('custom_name', 'custom') ~ '_customers') }}

with
habits as (select * from {{ ref('silver_custom_int_customer_habits') }}),

gaps as (select * from {{ ref('silver_custom_int_customer_gaps') }}),

months as (select * from {{ ref('silver_custom_int_customer_months') }}),

products as (select * from {{ ref('silver_custom_int_customer_products') }}),

categories as (select * from {{ ref('silver_custom_int_customer_categories') }}),

near_lines as (select * from {{ ref('silver_custom_int_customer_near_lines') }}),

return_runs as (select * from {{ ref('silver_custom_int_customer_return_runs') }}),

returns as (select * from {{ ref('silver_custom_int_customer_returns') }}),

features as (
    select
        habits.customer_id,
        {{ order_history_columns() }}
    from habits
    {{ order_history_joins() }}
)

select * from features
