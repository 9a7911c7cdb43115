{{ config(
    materialized=weekly(),
    post_hook='{{ age_untouched_customers() }}',
    meta={
        'replaced': 'customer_id in (select customer_id from loads.grocery_touched_customers)',
        'every': every_customer(),
    }
) }}

with
customers as (select * from {{ ref('silver_grocery_customers') }}),

habits as (select * from {{ ref('silver_grocery_int_customer_habits') }}),

gaps as (select * from {{ ref('silver_grocery_int_customer_visit_gaps') }}),

partners as (select * from {{ ref('silver_grocery_int_customer_stores') }}),

department_shares as (select * from {{ ref('silver_grocery_int_customer_department_shares') }}),

diversity as (select * from {{ ref('silver_grocery_int_customer_diversity') }}),

features as (
    select
        cast(customers.customer_id as string) as customer_id,
        customers.life_stage,
        customers.price_sensitivity,
        customers.age_band,
        customers.income_band,
        customers.home_ownership,
        customers.marital_status,
        customers.household_composition,
        customers.household_size,
        customers.children_count,
        customers.campaign_count,
        customers.redemption_count,
        {{ columns_but('habits', 'customer_id') }},
        {{ columns_but('gaps', 'customer_id') }},
        {{ columns_but('partners', 'customer_id') }},
        {{ columns_but('department_shares', 'customer_id') }},
        {{ columns_but('diversity', 'customer_id') }}
    from customers
    inner join habits on customers.customer_id = habits.customer_id
    inner join gaps on customers.customer_id = gaps.customer_id
    inner join partners on customers.customer_id = partners.customer_id
    inner join department_shares on customers.customer_id = department_shares.customer_id
    inner join diversity on customers.customer_id = diversity.customer_id
)

select * from features
