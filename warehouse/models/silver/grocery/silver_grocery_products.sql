{{ config(post_hook="{{ mark_load('silver.grocery_products') }}") }}

with
catalog as (select * from {{ grocery_source('catalog') }}),

{% if not arrives_weekly() -%}
lines as (select * from {{ grocery_source('lines') }}),

{% endif -%}
departments as (
    select * from {{ ref('bronze_grocery_departments') }}
    where source = '{{ var("grocery_source") }}'
),

sold as (
    {%- if arrives_weekly() %}
    select
        product_id,
        cast(sum(line_count) as bigint) as line_count,
        sum(bulk_line_count) as bulk_line_count
    from {{ ref('bronze_grocery_sort_of_real_file_products') }}
    where product_id is not null
    group by product_id
    {%- else %}
    select
        product_id,
        count(*) as line_count,
        sum(case when quantity >= {{ var('grocery_bulk_quantity') }} then 1 else 0 end)
            as bulk_line_count
    from lines
    where product_id is not null
    group by product_id
    {%- endif %}
),

-- Some sold products are in no catalog.
products as (
    select
        coalesce(sold.product_id, catalog.product_id) as product_id,
        coalesce(catalog.category_id, 'unknown') as category_id,
        coalesce(departments.department, 'other') as department,
        catalog.source_department,
        catalog.product_id is not null as is_listed,
        catalog.is_own_label,
        coalesce(departments.department = 'fuel', false)
        or coalesce(2 * sold.bulk_line_count >= sold.line_count, false) as is_bulk,
        coalesce(sold.line_count, 0) as line_count
    from catalog
    full outer join sold on catalog.product_id = sold.product_id
    left join departments on catalog.source_department = departments.source_department
)

select * from products
