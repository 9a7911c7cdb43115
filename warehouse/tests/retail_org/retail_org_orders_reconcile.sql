-- Every order of bronze is in silver or counted once in the rejections, and so is every line.
with
rejected as (
    select
        entity,
        sum(row_count) as row_count
    from {{ ref('silver_retail_org_rejections') }}
    group by entity
),

counted as (
    select
        'order' as entity,
        (select count(*) from {{ ref('bronze_retail_org_sales_orders') }}) as bronze_count,
        (select count(*) from {{ ref('silver_retail_org_orders') }}) as silver_count
    union all
    select
        'line' as entity,
        (
            select sum({{ list_length('ordered_products') }})
            from {{ ref('bronze_retail_org_sales_orders') }}
        ) as bronze_count,
        (select count(*) from {{ ref('silver_retail_org_order_lines') }}) as silver_count
)

select counted.*
from counted
inner join rejected on counted.entity = rejected.entity
where counted.bronze_count <> counted.silver_count + rejected.row_count
