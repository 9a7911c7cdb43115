{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('campaigns') }}),

typed as (
    select
        cast(campaign_id as string) as campaign_id,
        household_id,
        'campaigns.parquet' as source_file
    from raw_file
)

select * from typed
