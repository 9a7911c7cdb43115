{{ config(enabled=var('grocery_source') == 'complete_journey', materialized='view') }}

with
raw_file as (select * from {{ complete_journey_file('demographics') }}),

typed as (
    select
        household_id,
        age as age_band,
        income as income_band,
        home_ownership,
        marital_status,
        household_size,
        household_comp as household_composition,
        kids_count as children_count,
        'demographics.parquet' as source_file
    from raw_file
)

select * from typed
