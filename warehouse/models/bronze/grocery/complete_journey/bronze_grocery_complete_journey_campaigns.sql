{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('campaign_descriptions') }}),

typed as (
    select
        cast(campaign_id as string) as campaign_id,
        campaign_type,
        cast(start_date as date) as started_on,
        cast(end_date as date) as ended_on,
        'campaign_descriptions.parquet' as source_file
    from raw_file
)

select * from typed
