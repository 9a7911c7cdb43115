{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
lines as (select * from {{ ref('bronze_grocery_complete_journey_lines') }}),

demographics as (select * from {{ ref('bronze_grocery_complete_journey_demographics') }}),

campaign_households as (
    select * from {{ ref('bronze_grocery_complete_journey_campaign_households') }}
),

campaigns as (
    select campaign_id from {{ ref('bronze_grocery_complete_journey_campaigns') }}
    where {{ before_until('started_on') }}
),

redemptions as (select * from {{ ref('bronze_grocery_complete_journey_redemptions') }}),

households as (
    select distinct customer_id as household_id from lines
    where customer_id is not null
),

mailings as (
    select
        household_id,
        count(distinct campaign_id) as campaign_count
    from campaign_households
    where campaign_id in (select campaigns.campaign_id from campaigns)
    group by household_id
),

redeemed as (
    select
        household_id,
        count(*) as redemption_count
    from redemptions
    where {{ before_until('redeemed_on') }}
    group by household_id
),

shoppers as (
    select
        households.household_id as customer_id,
        {{ complete_journey_life_stage(
            'demographics.age_band',
            'demographics.household_composition',
            'demographics.children_count'
        ) }} as life_stage,
        cast(null as string) as price_sensitivity,
        demographics.age_band,
        demographics.income_band,
        demographics.home_ownership,
        demographics.marital_status,
        demographics.household_composition,
        {{ leading_number('demographics.household_size') }} as household_size,
        {{ leading_number('demographics.children_count') }} as children_count,
        coalesce(mailings.campaign_count, 0) as campaign_count,
        coalesce(redeemed.redemption_count, 0) as redemption_count
    from households
    left join demographics on households.household_id = demographics.household_id
    left join mailings on households.household_id = mailings.household_id
    left join redeemed on households.household_id = redeemed.household_id
)

select * from shoppers
