{{ config(enabled=var('grocery_source') == 'sort_of_real', materialized='view') }}

with
file_shoppers as (select * from {{ ref('bronze_grocery_sort_of_real_file_shoppers') }}),

shoppers as (
    select
        customer_id,
        {{ known_life_stage('min(customer_life_stage)') }} as life_stage,
        min(customer_price_sensitivity) as price_sensitivity,
        cast(null as string) as age_band,
        cast(null as string) as income_band,
        cast(null as string) as home_ownership,
        cast(null as string) as marital_status,
        cast(null as string) as household_composition,
        cast(null as integer) as household_size,
        cast(null as integer) as children_count,
        cast(null as bigint) as campaign_count,
        cast(null as bigint) as redemption_count
    from file_shoppers
    where customer_id is not null
    group by customer_id
)

select * from shoppers
