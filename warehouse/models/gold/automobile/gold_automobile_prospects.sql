with
prospects as (select * from {{ ref('silver_automobile_prospects') }}),

labelled as (
    select {{ columns_but('prospects', 'is_labelled') }}
    from prospects
    where prospects.is_labelled
)

select * from labelled
