with
sales as (select * from {{ ref('bronze_retail_org_sales') }}),

customers as (select * from {{ ref('silver_retail_org_customers') }}),

last_day as (select max(ordered_on) as last_on from sales),

habits as (
    select
        customer_id,
        count(*) as line_count,
        cast(sum(spend_amount) as double) as spend_amount,
        {{ mean_money('spend_amount') }} as line_spend_mean,
        count(distinct product_name) as product_count,
        count(distinct category) as category_count,
        min(ordered_on) as first_order_on,
        max(ordered_on) as last_order_on
    from sales
    where customer_id is not null
    group by customer_id
),

features as (
    select
        habits.customer_id,
        customers.customer_name,
        customers.units_purchased,
        customers.loyalty_segment,
        habits.line_count,
        habits.spend_amount,
        habits.line_spend_mean,
        habits.product_count,
        habits.category_count,
        {{ days_between('habits.first_order_on', 'habits.last_order_on') }}
            as tenure_days,
        {{ days_between('habits.last_order_on', 'last_day.last_on') }}
            as recency_days
    from habits
    inner join customers on habits.customer_id = customers.customer_id
    cross join last_day
)

select * from features
