with
prospects as (select * from {{ ref('silver_automobile_prospects') }}),

labelled as (
    select prospect_id
    from prospects
    where is_labelled
),

unlabelled as (
    select {{ columns_but('prospects', 'is_labelled, segment_label') }}
    from prospects
    where not prospects.is_labelled
),

marked as (
    select
        unlabelled.*,
        labelled.prospect_id is not null as has_labelled_id
    from unlabelled
    left join labelled on unlabelled.prospect_id = labelled.prospect_id
)

select * from marked
