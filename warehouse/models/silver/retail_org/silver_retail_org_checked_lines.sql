with
checked_orders as (select * from {{ ref('silver_retail_org_checked_orders') }}),

sales as (select * from {{ ref('bronze_retail_org_sales') }}),

nested as (
    select
        order_id,
        customer_id,
        ordered_at,
        rejection_reason as order_rejection_reason,
        {{ unnested('ordered_products') }} as line
    from checked_orders
),

unnested as (
    select
        nested.order_id,
        nested.customer_id,
        nested.order_rejection_reason,
        {{ code('line.id') }} as product_id,
        {{ code('line.name') }} as product_name,
        {{ code('line.curr') }} as currency,
        {{ safe_integer('line.qty') }} as unit_count,
        {{ safe_money('line.price') }} as unit_price,
        line.promotion_info is not null as has_promotion,
        nested.ordered_at
    from nested
),

-- The orders name no category; the 360 lines of sales do, one for each product.
categories as (
    select
        product_id,
        min(category) as category
    from sales
    group by product_id
),

checked as (
    select
        unnested.order_id,
        unnested.customer_id,
        unnested.product_id,
        unnested.product_name,
        coalesce(categories.category, 'unknown') as category,
        unnested.currency,
        unnested.has_promotion,
        unnested.unit_count,
        unnested.unit_price,
        cast(unnested.unit_count * unnested.unit_price as decimal(18, 2)) as spend_amount,
        unnested.ordered_at,
        case
            {%- for rule in retail_org_line_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from unnested
    left join categories on unnested.product_id = categories.product_id
)

select * from checked
