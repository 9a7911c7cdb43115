with
checked_orders as (select * from {{ ref('silver_retail_org_checked_orders') }}),

sales as (select * from {{ ref('bronze_retail_org_sales') }}),

loyalty_customers as (select * from {{ ref('bronze_retail_org_loyalty_customers') }}),

loyalty_levels as (select * from {{ ref('bronze_retail_org_loyalty_levels') }}),

seen as (
    select
        customer_id,
        customer_name
    from checked_orders
    where customer_id is not null
    union all
    select
        customer_id,
        customer_name
    from sales
    where customer_id is not null
    union all
    select
        customer_id,
        null as customer_name
    from loyalty_customers
    where customer_id is not null
),

named as (
    select
        customer_id,
        min(customer_name) as customer_name
    from seen
    group by customer_id
),

-- 28 names stand on more than one id: two people, or one counted twice; the source cannot tell.
counted as (
    select
        *,
        count(*) over (partition by customer_name) as customers_of_the_name
    from named
),

customers as (
    select
        counted.customer_id,
        counted.customer_name,
        counted.customer_name is not null and counted.customers_of_the_name > 1 as has_shared_name,
        loyalty_customers.loyalty_segment,
        loyalty_levels.loyalty_level,
        loyalty_customers.units_purchased
    from counted
    left join loyalty_customers on counted.customer_id = loyalty_customers.customer_id
    left join loyalty_levels
        on loyalty_customers.loyalty_segment = loyalty_levels.loyalty_segment
)

select * from customers
