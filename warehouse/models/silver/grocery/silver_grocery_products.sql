with
catalog as (select * from {{ grocery_source('catalog') }}),

lines as (select * from {{ grocery_source('lines') }}),

departments as (
    select * from {{ ref('bronze_grocery_departments') }}
    where source = '{{ var("grocery_source") }}'
),

sold as (
    select
        product_id,
        count(*) as line_count,
        sum(case when quantity >= {{ var('grocery_bulk_quantity') }} then 1 else 0 end)
            as bulk_line_count
    from lines
    where product_id is not null
    group by product_id
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
