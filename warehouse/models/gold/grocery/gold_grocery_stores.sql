with
stores as (select * from {{ ref('silver_grocery_stores') }}),

habits as (select * from {{ ref('silver_grocery_int_store_habits') }}),

gaps as (select * from {{ ref('silver_grocery_int_store_visit_gaps') }}),

partners as (select * from {{ ref('silver_grocery_int_store_customers') }}),

department_shares as (select * from {{ ref('silver_grocery_int_store_department_shares') }}),

diversity as (select * from {{ ref('silver_grocery_int_store_diversity') }}),

features as (
    select
        cast(stores.store_id as string) as store_id,
        stores.store_format,
        stores.store_region,
        {{ columns_but('habits', 'store_id') }},
        {{ columns_but('gaps', 'store_id') }},
        {{ columns_but('partners', 'store_id') }},
        {{ columns_but('department_shares', 'store_id') }},
        {{ columns_but('diversity', 'store_id') }}
    from stores
    inner join habits on stores.store_id = habits.store_id
    inner join gaps on stores.store_id = gaps.store_id
    inner join partners on stores.store_id = partners.store_id
    inner join department_shares on stores.store_id = department_shares.store_id
    inner join diversity on stores.store_id = diversity.store_id
)

select * from features
