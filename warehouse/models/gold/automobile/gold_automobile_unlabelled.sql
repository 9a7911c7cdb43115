with
prospects as (select * from {{ ref('silver_automobile_prospects') }}),

labelled as (
    select prospect_id
    from prospects
    where is_labelled
),

unlabelled as (
    select
        prospects.* exclude (is_labelled, segment_label),
        labelled.prospect_id is not null as has_labelled_id
    from prospects
    left join labelled on prospects.prospect_id = labelled.prospect_id
    where not prospects.is_labelled
)

select * from unlabelled
