with
prospects as (select * from {{ ref('silver_automobile_prospects') }}),

labelled as (
    select * exclude (is_labelled)
    from prospects
    where is_labelled
)

select * from labelled
