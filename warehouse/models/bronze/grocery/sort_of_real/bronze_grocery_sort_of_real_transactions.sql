{{ config(
    enabled=var('grocery_source') == 'sort_of_real',
    materialized=weekly(),
    pre_hook='{{ forget_changed_files() }}',
    post_hook=['{{ stop_at_unread_lines() }}', '{{ note_loaded_files() }}'],
    meta={'changes': "loads.grocery_files_found where state <> 'same'"}
) }}

with
raw_files as (
    select * from {{ sort_of_real_weeks(sort_of_real_transaction_columns()) }}
),

typed as (
    select
        {{ code('CUST_CODE') }} as customer_id,
        {{ code('BASKET_ID') }} as basket_id,
        {{ code('PROD_CODE') }} as product_id,
        {{ code('STORE_CODE') }} as store_id,
        {{ code('SHOP_WEEK') }} as shop_week,
        {{ code('PROD_CODE_10') }} as product_class,
        {{ code('PROD_CODE_20') }} as product_group,
        {{ code('PROD_CODE_30') }} as product_division,
        {{ code('PROD_CODE_40') }} as department,
        {{ code('CUST_PRICE_SENSITIVITY') }} as customer_price_sensitivity,
        {{ code('CUST_LIFESTAGE') }} as customer_life_stage,
        {{ code('BASKET_SIZE') }} as basket_size,
        {{ code('BASKET_PRICE_SENSITIVITY') }} as basket_price_sensitivity,
        {{ code('BASKET_TYPE') }} as basket_type,
        {{ code('BASKET_DOMINANT_MISSION') }} as basket_mission,
        {{ code('STORE_FORMAT') }} as store_format,
        {{ code('STORE_REGION') }} as store_region,
        {{ safe_integer('SHOP_HOUR') }} as shop_hour,
        {{ safe_integer('SHOP_WEEKDAY') }} as shop_weekday,
        {{ safe_integer('QUANTITY') }} as quantity,
        {{ safe_money('SPEND') }} as spend_amount,
        {{ safe_date('SHOP_DATE', '%Y%m%d') }} as shopped_on,
        source_file,
        {{ load_time() }} as loaded_at
    from raw_files
)

select * from typed
