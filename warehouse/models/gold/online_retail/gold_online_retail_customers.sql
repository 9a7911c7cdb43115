with
customers as (select * from {{ ref('silver_online_retail_customers') }}),

habits as (select * from {{ ref('silver_online_retail_int_customer_habits') }}),

gaps as (select * from {{ ref('silver_online_retail_int_customer_gaps') }}),

months as (select * from {{ ref('silver_online_retail_int_customer_months') }}),

products as (select * from {{ ref('silver_online_retail_int_customer_products') }}),

categories as (select * from {{ ref('silver_online_retail_int_customer_categories') }}),

near_lines as (select * from {{ ref('silver_online_retail_int_customer_near_lines') }}),

return_runs as (select * from {{ ref('silver_online_retail_int_customer_return_runs') }}),

returns as (select * from {{ ref('silver_online_retail_int_customer_returns') }}),

features as (
    select
        habits.customer_id,
        customers.country,
        {{ order_history_columns() }},
        {{ share_of(
            'customers.cancelled_line_count',
            'customers.cancelled_line_count + habits.line_count'
        ) }} as cancelled_line_share
    from habits
    {{ order_history_joins() }}
    inner join customers on habits.customer_id = customers.customer_id
)

select * from features
