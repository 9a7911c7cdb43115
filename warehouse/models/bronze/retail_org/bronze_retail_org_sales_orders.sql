with
raw_file as (
    select * from {{ domain_parquet('retail_org', 'sales_orders.parquet') }}
),

-- Numbers and times stay the text that they came as: silver parses them and counts what fails.
typed as (
    select
        {{ code('cast(order_number as string)') }} as order_id,
        {{ code('cast(customer_id as string)') }} as customer_id,
        {{ code('customer_name') }} as customer_name,
        {{ code('cast(number_of_line_items as string)') }} as line_count_text,
        {{ code('cast(order_datetime as string)') }} as order_time_text,
        ordered_products,
        clicked_items,
        promo_info as promotions,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_file
)

select * from typed
