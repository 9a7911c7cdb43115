with
checked_rows as (select * from {{ ref('silver_automobile_checked_rows') }}),

prospects as (
    select {{ columns_but('checked_rows', 'rejection_reason') }}
    from checked_rows
    where checked_rows.rejection_reason is null
)

select * from prospects
