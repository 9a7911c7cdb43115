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

shares as (
    {{ one_column_each(
        ref('silver_custom_customer_shares'), 'customer_id', 'share_name', 'share'
    ) }}
),

levels as (select * from {{ ref('silver_custom_int_customer_levels') }}),

features as (
    select
        habits.customer_id,
        {{ order_history_columns() }}
    from habits
    {{ order_history_joins() }}
),

widened as (
    select
        features.*,
        {{ columns_but('levels', 'customer_id') }},
        {{ columns_but('shares', 'customer_id') }}
    from features
    inner join levels on features.customer_id = levels.customer_id
    left join shares on features.customer_id = shares.customer_id
)

select * from widened
