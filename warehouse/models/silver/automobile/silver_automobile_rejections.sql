with
checked_rows as (select * from {{ ref('silver_automobile_checked_rows') }}),

{{
    counted_rejections(
        'checked_rows', 'silver.automobile_prospects', 'prospect', prospect_rules()
    )
}}
