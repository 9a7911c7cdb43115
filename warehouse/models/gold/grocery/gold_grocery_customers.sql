with
baskets as (select * from {{ ref('silver_grocery_baskets') }}),

transactions as (select * from {{ ref('silver_grocery_transactions') }}),

products as (select * from {{ ref('silver_grocery_products') }}),

customers as (select * from {{ ref('silver_grocery_customers') }}),

last_day as (select max(bought_on) as last_on from baskets),

habits as (
    {{ basket_habits('customer') }}
),

gaps as (
    {{ visit_gaps('customer') }}
),

partners as (
    {{ partners('customer', 'store') }}
),

products_bought as (
    {{ products_bought('customer') }}
),

categories_bought as (
    {{ kinds_bought('customer', 'category_id') }}
),

departments_bought as (
    {{ kinds_bought('customer', 'department') }}
),

product_diversity as (
    {{ diversity('customer', 'product', 'products_bought') }}
),

category_diversity as (
    {{ diversity('customer', 'category', 'categories_bought') }}
),

department_diversity as (
    {{ diversity('customer', 'department', 'departments_bought') }}
),

department_shares as (
    {{ department_shares('customer') }}
),

features as (
    select
        cast(customers.customer_id as varchar) as customer_id,
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
        {{ feature_columns('customer', 'store') }}
    from customers
    inner join habits on customers.customer_id = habits.customer_id
    inner join gaps on customers.customer_id = gaps.customer_id
    inner join partners on customers.customer_id = partners.customer_id
    inner join product_diversity on customers.customer_id = product_diversity.customer_id
    inner join category_diversity on customers.customer_id = category_diversity.customer_id
    inner join department_diversity on customers.customer_id = department_diversity.customer_id
    inner join department_shares on customers.customer_id = department_shares.customer_id
    cross join last_day
)

select * from features
