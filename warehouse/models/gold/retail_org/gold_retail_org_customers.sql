with
customers as (select * from {{ ref('silver_retail_org_customers') }}),

orders as (select * from {{ ref('silver_retail_org_orders') }}),

order_lines as (select * from {{ ref('silver_retail_org_order_lines') }}),

loyalty_levels as (select * from {{ ref('bronze_retail_org_loyalty_levels') }}),

last_day as (select max(ordered_on) as last_on from orders),

habits as (
    select
        customer_id,
        count(*) as order_count,
        cast(sum(line_count) as bigint) as line_count,
        cast(sum(unit_count) as bigint) as unit_count,
        cast(sum(spend_amount) as double) as spend_amount,
        {{ mean_money('spend_amount') }} as order_spend_mean,
        avg(unit_count) as order_units_mean,
        avg(line_count) as order_lines_mean,
        avg(clicked_product_count) as order_clicks_mean,
        {{ share_of('sum(spend_amount)', 'sum(unit_count)') }} as unit_price_mean,
        {{ share_of('sum(promotion_line_count)', 'sum(line_count)') }} as promotion_line_share,
        {{ share_of('count(case when has_line_count_difference then 1 end)', 'count(*)') }}
            as line_count_difference_share,
        min(ordered_on) as first_order_on,
        max(ordered_on) as last_order_on
    from orders
    group by customer_id
),

products_bought as (
    select
        customer_id,
        product_id,
        min(category) as category,
        cast(sum(spend_amount) as decimal(18, 2)) as spend_amount
    from order_lines
    group by customer_id, product_id
),

variety as (
    select
        customer_id,
        count(*) as product_count,
        count(distinct category) as category_count,
        {{ effective_count('spend_amount') }} as product_effective_count
    from products_bought
    group by customer_id
),

-- The source gives a level for 25 customers; the thresholds tell what the units ordered reach.
reached as (
    select
        habits.customer_id,
        max(loyalty_levels.loyalty_segment) as reached_loyalty_segment
    from habits
    inner join loyalty_levels on habits.unit_count >= loyalty_levels.unit_threshold
    group by habits.customer_id
),

features as (
    select
        customers.customer_id,
        customers.customer_name,
        customers.loyalty_level,
        reached.reached_loyalty_segment,
        customers.has_shared_name,
        habits.order_count,
        habits.line_count,
        habits.unit_count,
        habits.spend_amount,
        habits.order_spend_mean,
        habits.order_units_mean,
        habits.order_lines_mean,
        habits.order_clicks_mean,
        habits.unit_price_mean,
        habits.promotion_line_share,
        habits.line_count_difference_share,
        variety.product_count,
        variety.category_count,
        variety.product_effective_count,
        {{ days_between('habits.first_order_on', 'habits.last_order_on') }}
            as tenure_days,
        {{ days_between('habits.last_order_on', 'last_day.last_on') }}
            as recency_days,
        habits.first_order_on,
        habits.last_order_on
    from customers
    inner join habits on customers.customer_id = habits.customer_id
    inner join variety on customers.customer_id = variety.customer_id
    left join reached on customers.customer_id = reached.customer_id
    cross join last_day
)

select * from features
