with
sales_orders as (select * from {{ ref('bronze_retail_org_sales_orders') }}),

parsed as (
    select
        order_id,
        customer_id,
        customer_name,
        line_count_text,
        order_time_text,
        ordered_products,
        {{ safe_integer('line_count_text') }} as stated_line_count,
        {{ list_length('ordered_products') }} as line_count,
        {{ list_length('clicked_items') }} as clicked_product_count,
        {{ list_length('promotions') }} as promotion_count,
        row_number() over (
            partition by order_id
            order by order_time_text asc nulls last, customer_id asc nulls last
        ) as copy_number,
        {{ safe_epoch('order_time_text') }} as ordered_at
    from sales_orders
),

checked as (
    select
        parsed.order_id,
        parsed.customer_id,
        parsed.customer_name,
        parsed.ordered_products,
        parsed.line_count_text,
        parsed.stated_line_count,
        parsed.line_count,
        coalesce(parsed.stated_line_count <> parsed.line_count, true) as has_line_count_difference,
        parsed.clicked_product_count,
        parsed.promotion_count,
        parsed.ordered_at,
        case
            {%- for rule in retail_org_order_rules() %}
            when {{ rule.when }} then '{{ rule.reason }}'
            {%- endfor %}
        end as rejection_reason
    from parsed
)

select * from checked
