with
sales as (select * from {{ ref('silver_online_retail_sales') }}),

returns as (select * from {{ ref('silver_online_retail_returns') }}),

customers as (select * from {{ ref('silver_online_retail_customers') }}),

{{ order_history_ctes() }},

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
