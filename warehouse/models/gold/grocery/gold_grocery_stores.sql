with
baskets as (select * from {{ ref('silver_grocery_baskets') }}),

transactions as (select * from {{ ref('silver_grocery_transactions') }}),

products as (select * from {{ ref('silver_grocery_products') }}),

stores as (select * from {{ ref('silver_grocery_stores') }}),

last_day as (select max(bought_on) as last_on from baskets),

habits as (
    {{ basket_habits('store') }}
),

gaps as (
    {{ visit_gaps('store') }}
),

partners as (
    {{ partners('store', 'customer') }}
),

products_bought as (
    {{ products_bought('store') }}
),

categories_bought as (
    {{ kinds_bought('store', 'category_id') }}
),

departments_bought as (
    {{ kinds_bought('store', 'department') }}
),

product_diversity as (
    {{ diversity('store', 'product', 'products_bought') }}
),

category_diversity as (
    {{ diversity('store', 'category', 'categories_bought') }}
),

department_diversity as (
    {{ diversity('store', 'department', 'departments_bought') }}
),

department_shares as (
    {{ department_shares('store') }}
),

features as (
    select
        cast(stores.store_id as varchar) as store_id,
        stores.store_format,
        stores.store_region,
        {{ feature_columns('store', 'customer') }}
    from stores
    inner join habits on stores.store_id = habits.store_id
    inner join gaps on stores.store_id = gaps.store_id
    inner join partners on stores.store_id = partners.store_id
    inner join product_diversity on stores.store_id = product_diversity.store_id
    inner join category_diversity on stores.store_id = category_diversity.store_id
    inner join department_diversity on stores.store_id = department_diversity.store_id
    inner join department_shares on stores.store_id = department_shares.store_id
    cross join last_day
)

select * from features
